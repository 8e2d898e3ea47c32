import { Fragment, type JSX, type ReactNode, useMemo } from "react";
import { type Block, type Inline, parseMarkdown } from "./parse.ts";

/**
 * Shows Markdown as React elements.
 *
 * @param props.topHeading level that `#` gets, so that the text fits into the page's outline
 */
export function Markdown({ text, topHeading }: { text: string; topHeading: number }): JSX.Element {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <>
      {blocks.map((block, index) => (
        <Fragment key={index}>{renderBlock(block, topHeading)}</Fragment>
      ))}
    </>
  );
}

function renderBlock(block: Block, topHeading: number): ReactNode {
  switch (block.kind) {
    case "heading": {
      const Heading = `h${Math.min(6, block.level + topHeading - 1)}` as "h2";
      return <Heading>{renderInline(block.children)}</Heading>;
    }
    case "paragraph": {
      // A line that is emphasised as a whole, such as a date under a title, is set like one.
      const aside = block.children.length === 1 && block.children[0]?.kind === "em";
      return <p className={aside ? "aside" : undefined}>{renderInline(block.children)}</p>;
    }
    case "quote":
      return (
        <blockquote>
          <p>{renderInline(block.children)}</p>
        </blockquote>
      );
    case "list": {
      const List = block.ordered ? "ol" : "ul";
      return (
        <List>
          {block.items.map((item, index) => (
            <li key={index}>{renderInline(item)}</li>
          ))}
        </List>
      );
    }
    case "rule":
      return <hr />;
  }
}

function renderInline(parts: Inline[]): ReactNode {
  return parts.map((part, index) => <Fragment key={index}>{renderPart(part)}</Fragment>);
}

function renderPart(part: Inline): ReactNode {
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code>{part.text}</code>;
    case "strong":
      return <strong>{renderInline(part.children)}</strong>;
    case "em":
      return <em>{renderInline(part.children)}</em>;
    case "link":
      return (
        <a href={part.href} rel="noreferrer" target="_blank">
          {renderInline(part.children)}
        </a>
      );
  }
}
