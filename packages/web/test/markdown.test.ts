import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Markdown } from "../app/markdown/markdown.tsx";

const html = (text: string) => renderToStaticMarkup(createElement(Markdown, { text, topHeading: 2 }));

describe("Markdown", () => {
  it("fits headings into the page's outline", () => {
    expect(html("# One\n## Two ##\n###### Six")).toBe("<h2>One</h2><h3>Two</h3><h6>Six</h6>");
  });

  it("joins lines to paragraphs and parts them at empty lines", () => {
    expect(html("one\ntwo\r\n\r\nthree")).toBe("<p>one two</p><p>three</p>");
  });

  it("reads emphasis with stars and underscores, nested too", () => {
    expect(html("*a* **b** _c_ __d__ **e *f* g**")).toBe(
      "<p><em>a</em> <strong>b</strong> <em>c</em> <strong>d</strong> <strong>e <em>f</em> g</strong></p>",
    );
  });

  it("tells lines that are emphasised as a whole from those with a part that is", () => {
    expect(html("*read on Sunday*\n\nread *on* Sunday")).toBe(
      '<p class="aside"><em>read on Sunday</em></p><p>read <em>on</em> Sunday</p>',
    );
  });

  it("leaves stars and underscores alone that emphasise nothing", () => {
    expect(html("2 * 3 * 4, snake_case_name, **, _")).toBe("<p>2 * 3 * 4, snake_case_name, **, _</p>");
    expect(html("\\*not\\* this")).toBe("<p>*not* this</p>");
  });

  it("reads lists, quotes, rules and code", () => {
    expect(html("- a\n- *b*\n\n1. c\n2. d")).toBe(
      "<ul><li>a</li><li><em>b</em></li></ul><ol><li>c</li><li>d</li></ol>",
    );
    expect(html("> so\n> it is\n\n---\n`x*y*`")).toBe(
      "<blockquote><p>so it is</p></blockquote><hr/><p><code>x*y*</code></p>",
    );
  });

  it("ends a paragraph where a list or heading begins", () => {
    expect(html("text\n- a\n# b")).toBe("<p>text</p><ul><li>a</li></ul><h2>b</h2>");
  });

  it("links to web and mail addresses", () => {
    expect(html("[there](https://example.com/a?b=c)")).toBe(
      '<p><a href="https://example.com/a?b=c" rel="noreferrer" target="_blank">there</a></p>',
    );
  });

  it.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert)",
    "[x](data:text/html,x)",
    "[x](//evil.example)",
    "[x](#/readings/1)",
  ])("shows %s as text", (text) => {
    expect(html(text)).not.toContain("<a");
  });

  it("shows HTML as text", () => {
    expect(html("<img src=x onerror=alert(1)> <b>b</b>")).toBe(
      "<p>&lt;img src=x onerror=alert(1)&gt; &lt;b&gt;b&lt;/b&gt;</p>",
    );
  });

  it("stays quick with text made to slow it down", () => {
    const text = `${"*a _b ".repeat(5_000)}\n${"[".repeat(20_000)}\n${"**".repeat(20_000)}`;
    expect(html(text).length).toBeGreaterThan(50_000);
  });
});
