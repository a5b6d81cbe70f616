// Elements without markup: nothing that is shown is ever parsed.
import { soft } from "./soft.ts";

export type Child = Node | string | null | false | undefined | Child[];
type Props = { [name: string]: unknown };

// h makes an element. Names that begin with "on" are listeners; true and false set boolean attributes.
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children: Child[]): Array<Node | string> {
  return children.flatMap((c) => (Array.isArray(c) ? nodes(c) : typeof c === "string" ? (c ? [soft(c)] : []) : c ? [c] : []));
}

let ids = 0;
export const freshId = (): string => `e${++ids}`;

// field is a labelled input with an optional hint below.
export function field(label: string, props: Props, hint?: string): { element: HTMLElement; input: HTMLInputElement } {
  const id = typeof props.id === "string" ? props.id : freshId();
  const input = h("input", { id, type: "text", ...(hint && { "aria-describedby": `${id}-hint` }), ...props });
  return { input, element: h("div", { class: "field" }, h("label", { for: id }, label), input, hint && h("p", { class: "hint", id: `${id}-hint` }, hint)) };
}

export function button(label: Child, action: () => unknown, props: Props = {}): HTMLButtonElement {
  return h("button", { type: "button", onclick: () => void action(), ...props }, label);
}

// form runs action on submit, with the buttons disabled meanwhile.
export function form(action: () => Promise<unknown> | void, ...children: Child[]): HTMLFormElement {
  const element = h("form", { novalidate: true, onsubmit: (event: Event) => {
    event.preventDefault();
    void busy(element, action);
  } }, ...children);
  return element;
}

// busy disables what is in an element while something runs.
export async function busy(element: HTMLElement, action: () => Promise<unknown> | void): Promise<void> {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  const buttons = [...element.querySelectorAll("button")].filter((b) => !b.disabled);
  for (const b of buttons) b.disabled = true;
  try {
    await action();
  } finally {
    element.removeAttribute("aria-busy");
    for (const b of buttons) b.disabled = false;
  }
}

const main = (): HTMLElement => document.getElementById("main")!;

// show replaces the view: its title becomes the heading, which gets the focus.
export function show(title: string, ...children: Child[]): void {
  const heading = h("h1", { tabindex: -1 }, title);
  main().replaceChildren(heading, ...nodes(children));
  document.title = title === "Kedge" ? title : `${title} – Kedge`;
  scrollTo(0, 0);
  heading.focus({ preventScroll: true });
}

export const note = (kind: "info" | "warn" | "error", ...children: Child[]): HTMLElement =>
  h("div", { class: `note ${kind}`, role: kind === "error" ? "alert" : "status" }, ...children);

// dialog asks in a modal window; it resolves with what close was given, or null.
export function dialog<T>(title: string, content: (close: (value: T | null) => void) => Child[]): Promise<T | null> {
  return new Promise((done) => {
    const opener = document.activeElement as HTMLElement | null;
    let answer: T | null = null;
    const id = freshId();
    const close = (value: T | null) => { answer = value; element.close(); };
    const element = h("dialog", { "aria-labelledby": id, onclose: () => {
      element.remove();
      if (opener?.isConnected) opener.focus();
      done(answer);
    } }, h("h2", { id, tabindex: -1 }, title));
    element.append(...nodes(content(close)));
    document.body.append(element);
    element.showModal();
    if (!element.querySelector("[autofocus]")) element.querySelector("h2")!.focus();
  });
}
