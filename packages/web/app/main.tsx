import "./styles/index.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Boot } from "./boot.tsx";
import { Mishap } from "./shell/mishap.tsx";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Mishap>
      <Boot />
    </Mishap>
  </StrictMode>,
);
