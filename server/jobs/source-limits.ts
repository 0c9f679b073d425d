const mebibyte = 1024 * 1024;

/** How large the source of a job may be, in bytes and files. */
export const sourceLimits = {
  file: mebibyte,
  /** All files that the author wrote. */
  job: 4 * mebibyte,
  /** All files of imported packages, their type declarations included. */
  packages: 24 * mebibyte,
  files: 5_000,
} as const;

/** `1.5 MB`, for messages. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < mebibyte ? `${Math.round(bytes / 1024)} KB` : `${(bytes / mebibyte).toFixed(1)} MB`;
}
