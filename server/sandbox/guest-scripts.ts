/** The two scripts of the guest runtime: zod, which an isolate has only where its job names it, and what is ours. */
export type GuestScripts = Readonly<{ zod: string; main: string }>;

const border = "\n//# jobrunner: what follows is ours\n";

/** One text, whose hash is the version of both. */
export function joinGuestScripts({ zod, main }: GuestScripts): string {
  return `${zod}${border}${main}`;
}

/** The scripts in a text that `joinGuestScripts` made; one of an earlier release is all in `main`. */
export function splitGuestScripts(text: string): GuestScripts {
  const at = text.indexOf(border);
  return at < 0 ? { zod: "", main: text } : { zod: text.slice(0, at), main: text.slice(at + border.length) };
}

/** Whether a job can come by zod: one that does so has to write `z` somewhere, as a word of its own. */
export function namesZod(bundle: string): boolean {
  return /\bz\b/.test(bundle);
}
