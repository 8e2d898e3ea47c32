import { type RefObject, useEffect, useRef } from "react";

let firstPage = true;

/**
 * Names the browser's tab after a page. When a person comes from another page, also moves the focus to its
 * heading, so that a screen reader tells where they are; the first page leaves the focus alone.
 *
 * @returns ref for the page's heading, which needs `tabIndex={-1}`
 */
export function usePage(title: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Podbase Almanac`;
  }, [title]);
  useEffect(() => {
    if (!firstPage) {
      heading.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    firstPage = false;
  }, []);
  return heading;
}
