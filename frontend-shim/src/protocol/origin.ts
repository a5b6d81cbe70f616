// The name under which an application's users are known: its web origin, mapped as Internet Identity maps it.

// isOrigin reports whether a text is a canonical web origin: no path, no capitals, no port that is implied.
export function isOrigin(text: string): boolean {
  try {
    const url = new URL(text);
    return (url.protocol === "https:" || url.protocol === "http:") && url.origin === text;
  } catch {
    return false;
  }
}

// mapOrigin gives a canister's newer addresses the name of its oldest, so that a user stays the same there.
export function mapOrigin(origin: string): string {
  return origin.replace(/^(https:\/\/[\w-]+(?:\.raw)?)\.(?:icp0\.io|icp\.net)$/, "$1.ic0.app");
}

// host is what people are shown of an origin: without the scheme where it is https.
export const host = (origin: string): string => origin.replace(/^https:\/\//, "");
