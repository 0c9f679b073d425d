import { delimiter, dirname } from "node:path";

/**
 * What a program needs to find itself, its login, its language and the way out. No key is among them: one that a program
 * needs stands in its own settings.
 */
const passedOn = [
  ...["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"],
  ...[
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
  ],
  ...["CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"],
];

/** The environment of a host's program: what it needs of ours, and its own. */
export function cliEnvironment(
  ours: NodeJS.ProcessEnv,
  ...own: readonly Readonly<Record<string, string>>[]
): Record<string, string> {
  const kept = passedOn.flatMap((name) => {
    const value = ours[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const environment = Object.assign(Object.fromEntries(kept), { NO_COLOR: "1", TERM: "dumb" }, ...own);
  // Programs from npm start with `env node`, which a service may not have on its path.
  return { ...environment, PATH: [environment.PATH, dirname(process.execPath)].filter(Boolean).join(delimiter) };
}
