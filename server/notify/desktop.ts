import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { NotifyMessage } from "../effects/services.ts";
import { cutText, utf16Units } from "./cut-text.ts";
import type { Delivery } from "./post-message.ts";
import { Undelivered } from "./undelivered.ts";

type Program = Readonly<{ name: string; folders: readonly string[]; call(message: NotifyMessage): Call }>;
type Call = Readonly<{ args: readonly string[]; stdin?: string; env?: Readonly<Record<string, string>> }>;

const timeoutMs = 10_000;
const longestTitle = 200;
const longestText = 1_000;
/** What finds the person's session; nothing else of the daemon's environment goes along. */
const sessionNames = [
  "DBUS_SESSION_BUS_ADDRESS",
  "XDG_RUNTIME_DIR",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "HOME",
  "SYSTEMROOT",
];

const urgencies = { low: "low", normal: "normal", high: "critical" } as const;
const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Titles and texts are never part of a script: they go in as arguments, or in the environment. */
const programs: Readonly<Record<string, Program>> = {
  linux: {
    name: "notify-send",
    folders: ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"],
    call: ({ title, text, urgency }) => ({
      // The text may hold markup, by the Desktop Notifications Specification.
      args: ["--app-name=JobRunner", `--urgency=${urgencies[urgency]}`, "--", title, withoutMarkup(text)],
    }),
  },
  darwin: {
    name: "osascript",
    folders: ["/usr/bin"],
    call: ({ title, text }) => ({
      args: ["-", title, text],
      stdin: "on run argv\n  display notification (item 2 of argv) with title (item 1 of argv)\nend run\n",
    }),
  },
  win32: {
    name: "powershell.exe",
    folders: ["C:\\Windows\\System32\\WindowsPowerShell\\v1.0"],
    call: ({ title, text }) => ({
      args: ["-NoProfile", "-NonInteractive", "-Command", toastScript],
      env: { JOBRUNNER_TITLE: title, JOBRUNNER_TEXT: text },
    }),
  },
};

/** A toast needs the id of an installed program; PowerShell's own is on every Windows. */
const toastScript = `$ErrorActionPreference = 'Stop'
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$lines = $xml.GetElementsByTagName('text')
$null = $lines.Item(0).AppendChild($xml.CreateTextNode($env:JOBRUNNER_TITLE))
$null = $lines.Item(1).AppendChild($xml.CreateTextNode($env:JOBRUNNER_TEXT))
$id = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($id).Show([Windows.UI.Notifications.ToastNotification]::new($xml))`;

/** Shows it on this machine's desktop through the system's own program, which is looked up in fixed folders alone. */
export async function sendToDesktop(
  message: NotifyMessage,
  { signal }: Pick<Delivery, "signal">,
  place: Place = {},
): Promise<void> {
  const found = findProgram(place);
  if ("problem" in found) throw new Undelivered(found.problem);
  const { program, path } = found;
  const title = shortened(message.title.replace(/\s+/g, " "), longestTitle);
  await call(path, program.call({ ...message, title, text: shortened(message.text, longestText) }), signal);
}

type Place = Readonly<{ platform?: string; folders?: readonly string[] }>;

/** Why this machine can show no messages; undefined where it has the program for it. */
export function desktopProblem(place: Place = {}): string | undefined {
  const found = findProgram(place);
  return "problem" in found ? found.problem : undefined;
}

function findProgram({
  platform = process.platform,
  folders,
}: Place): { program: Program; path: string } | { problem: string } {
  const program = programs[platform];
  if (program === undefined) return { problem: `there is no desktop for messages on ${platform}` };
  const path = (folders ?? program.folders).map((folder) => join(folder, program.name)).find(isFile);
  return path === undefined ? { problem: `${program.name} is not installed` } : { program, path };
}

function call(path: string, { args, stdin = "", env = {} }: Call, signal: AbortSignal): Promise<void> {
  const session = sessionNames.map((name) => [name, process.env[name]] as const);
  return new Promise((resolve, reject) => {
    const options = { env: { ...Object.fromEntries(session), ...env }, signal, timeout: timeoutMs, windowsHide: true };
    const child = execFile(path, args, options, (error) => {
      if (error === null) resolve();
      else if (signal.aborted) reject(signal.reason);
      else if (error.killed === true) reject(new Undelivered(`no answer within ${timeoutMs / 1_000} s`));
      else reject(new Undelivered(`its program failed with ${error.code ?? error.signal}; is a desktop session open?`));
    });
    // A program that ends without reading is told by its exit code.
    child.stdin?.on("error", () => {}).end(stdin);
  });
}

function shortened(text: string, max: number): string {
  // An argument of a program cannot hold NUL.
  return cutText(text.replaceAll("\0", " "), max, utf16Units);
}

function withoutMarkup(text: string): string {
  return text.replace(/[&<>]/g, (character) => entities[character] ?? character);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
