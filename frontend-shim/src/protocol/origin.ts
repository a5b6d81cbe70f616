// The name under which an application's users are known: its web origin, mapped as Internet Identity maps it.

// Rule names what an origin must be, as internal/origin does; both are tested with its table of cases.
export type Rule = "empty" | "null" | "scheme" | "character" | "userinfo" | "query" | "fragment" | "path" | "host" | "port" | "length";

const maxLength = 255;

// canonicalOrigin returns the origin that a text names as browsers write it, or the rule that it offends.
export function canonicalOrigin(text: string): { origin: string } | { refused: Rule } {
  const refused = (rule: Rule) => ({ refused: rule });
  text = text.replace(/^[ \t\n\f\r]+|[ \t\n\f\r]+$/g, "");
  if (text === "") return refused("empty");
  if (text === "null") return refused("null");
  const [, scheme, rest] = /^(https?):\/\/([^]*)$/i.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return refused("scheme");
  if (/[\u0000- \u007f\\]/.test(rest)) return refused("character");
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (authority.includes("@")) return refused("userinfo");
  const behind = end < 0 ? "" : rest.slice(end).replace(/^\//, "");
  if (behind !== "") return refused(behind[0] === "?" ? "query" : behind[0] === "#" ? "fragment" : "path");
  const colon = authority.indexOf(":", authority[0] === "[" ? authority.indexOf("]") + 1 : 0);
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? "" : authority.slice(colon + 1);
  let url: URL;
  try {
    if (host === "" || host.includes("%")) return refused("host");
    url = new URL(`${scheme}://${host}`);
  } catch {
    return refused("host");
  }
  if (!/^[0-9]*$/.test(port) || Number(port) > 65535) return refused("port");
  url.port = port;
  return url.origin.length > maxLength ? refused("length") : { origin: url.origin };
}

// isOrigin reports whether a text is a canonical web origin: no path, no capitals, no port that is implied.
export function isOrigin(text: string): boolean {
  const read = canonicalOrigin(text);
  return "origin" in read && read.origin === text;
}

// mapOrigin gives a canister's newer addresses the name of its oldest, so that a user stays the same there.
export function mapOrigin(origin: string): string {
  return origin.replace(/^(https:\/\/[\w-]+(?:\.raw)?)\.(?:icp0\.io|icp\.net)$/, "$1.ic0.app");
}

// host is what people are shown of an origin: without the scheme where it is https.
export const host = (origin: string): string => origin.replace(/^https:\/\//, "");
