const longest = 63;

/** The labels that every worker has by itself: its host's name as a label, its system and its processor. */
export function ownLabels({ host, platform, arch }: { host: string; platform: string; arch: string }): string[] {
  const system = platform === "win32" ? "windows" : platform;
  return [asLabel(host), system, arch].filter((label) => label !== "");
}

/** Lower-case letters, digits and dashes, a letter first; "" where nothing is left. */
function asLabel(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, longest)
    .replace(/-+$/, "");
}
