import { sha256 } from "../sha256.ts";

/** What a service starts, all paths absolute. */
export type ServiceTarget = Readonly<{
  role: "daemon" | "worker";
  /** The Node program itself, since services have no PATH of the person's. */
  node: string;
  program: string;
  home: string;
  /** JOBRUNNER_JOBS, where the person has set it. */
  jobs: string | null;
}>;

const label = "jobrunner";

/** The service's name: one per home folder, so that several can stand beside each other. */
export function serviceName(home: string, defaultHome: string): string {
  return home === defaultHome ? label : `${label}-${sha256(home).slice("sha256:".length, "sha256:".length + 8)}`;
}

/** A systemd unit; see systemd.service(5) and systemd.syntax(7). `user` makes it one of the system that runs as that user. */
export function systemdUnit({ role, node, program, home, jobs }: ServiceTarget, user: string | null): string {
  const environment = [`JOBRUNNER_HOME=${home}`, ...(jobs === null ? [] : [`JOBRUNNER_JOBS=${jobs}`])];
  return [
    "[Unit]",
    `Description=JobRunner${role === "worker" ? " worker" : ""} (${systemdText(home)})`,
    // A daemon that a host started holds the home folder until it ends; the unit tries again until then.
    "StartLimitIntervalSec=0",
    ...(user === null ? [] : ["Wants=network-online.target", "After=network-online.target"]),
    "",
    "[Service]",
    `ExecStart=${[node, program].map(systemdWord).join(" ")} ${role}`,
    ...environment.map((pair) => `Environment=${systemdQuote(pair)}`),
    ...(user === null ? [] : [`User=${user}`, `Group=${user}`, "ProtectSystem=full", "PrivateTmp=yes"]),
    `WorkingDirectory=${systemdText(home)}`,
    "Restart=on-failure",
    "RestartSec=5",
    // The daemon ends its runners itself, so the signal goes to it alone.
    "KillMode=mixed",
    "TimeoutStopSec=60",
    "UMask=0077",
    "NoNewPrivileges=yes",
    "",
    "[Install]",
    `WantedBy=${user === null ? "default.target" : "multi-user.target"}`,
    "",
  ].join("\n");
}

/** A launchd agent; see launchd.plist(5). */
export function launchdPlist({ role, node, program, home, jobs }: ServiceTarget, name: string): string {
  const environment = [
    ["JOBRUNNER_HOME", home] as const,
    ...(jobs === null ? [] : [["JOBRUNNER_JOBS", jobs] as const]),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xmlText(name)}</string>
  <key>ProgramArguments</key>
  <array>
${[node, program, role].map((word) => `    <string>${xmlText(word)}</string>`).join("\n")}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${environment.map(([key, value]) => `    <key>${key}</key>\n    <string>${xmlText(value)}</string>`).join("\n")}
  </dict>
  <key>WorkingDirectory</key>
  <string>${xmlText(home)}</string>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>5</integer>
  <key>ExitTimeOut</key>
  <integer>60</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>ProcessType</key>
  <string>Background</string>
</dict>
</plist>
`;
}

/** Percent signs begin specifiers everywhere in a unit. */
function systemdText(text: string): string {
  return text.replaceAll("%", "%%");
}

function systemdQuote(text: string): string {
  return `"${systemdText(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** In commands, dollar signs begin variables besides. */
function systemdWord(text: string): string {
  return systemdQuote(text).replaceAll("$", "$$$$");
}

function xmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
