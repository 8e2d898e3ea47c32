import type { Artifact, Task } from "@podbase/client";
import type { JSX } from "react";
import { spokenSize } from "../texts/durations.ts";
import { PdfDocument } from "./document.tsx";
import { downloadHref } from "./download-href.ts";
import { asWords, filesOf, mediumOf } from "./kinds.ts";
import { Sound } from "./sound.tsx";
import { useAddress } from "./use-address.ts";

/** What a task made, each file as its content type wants it; pictures hang in the gallery. */
export function MadeFiles(props: { task: Task; title: string; fileName: string }): JSX.Element {
  const { task, title, fileName } = props;
  return (
    <>
      {filesOf(task).map((artifact) => (
        <MadeFile key={artifact.path} artifact={artifact} title={title} fileName={fileName} />
      ))}
    </>
  );
}

function MadeFile(props: { artifact: Artifact; title: string; fileName: string }): JSX.Element | null {
  const { artifact, title } = props;
  const fileName = `${props.fileName}${endings[artifact.contentType.split(";")[0] ?? ""] ?? ""}`;
  switch (mediumOf(artifact.contentType)) {
    case "picture":
      return null;
    case "sound":
      return <Sound artifact={artifact} fileName={fileName} />;
    case "film":
      return <Film artifact={artifact} />;
    case "pdf":
      return <PdfDocument artifact={artifact} title={title} fileName={fileName} />;
    default:
      return <File artifact={artifact} fileName={fileName} />;
  }
}

/** What files of a type are called, so that people's programs know them. */
const endings: Record<string, string> = {
  "audio/wav": ".wav",
  "audio/mpeg": ".mp3",
  "application/pdf": ".pdf",
  "application/json": ".json",
  "text/markdown": ".md",
  "text/plain": ".txt",
  "video/mp4": ".mp4",
};

function Film({ artifact }: { artifact: Artifact }): JSX.Element {
  const { url, failure, renew } = useAddress(artifact);
  if (failure) return <p className="message message-bad">{failure}</p>;
  // biome-ignore lint/a11y/useMediaCaption: a job has no captions to give
  return <video className="film" controls playsInline preload="metadata" src={url} onError={renew} />;
}

function File({ artifact, fileName }: { artifact: Artifact; fileName: string }): JSX.Element | null {
  const { url, failure } = useAddress(artifact);
  if (failure) return <p className="message message-bad">{failure}</p>;
  return (
    <p className="links">
      {url && <a href={downloadHref(url, fileName)}>{asWords(artifact.name)}</a>}
      <span className="fine">
        {artifact.contentType.split(";")[0]}, {spokenSize(artifact.bytes)}
      </span>
    </p>
  );
}
