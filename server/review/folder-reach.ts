/** How much a grant of a folder gives: the whole disk, a person's home, what the system or programs use, or just the folder. */
export type FolderReach = "disk" | "home" | "system" | "hidden" | "folder";

const systemFolders =
  /^(?:\/(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr|var|Library|System|Applications|private|snap)|[a-z]:\\(?:windows|program files(?: \(x86\))?|programdata))(?:[\\/]|$)/i;
/** Where temporary files and what people mount or keep lies, although it is below a folder of the system. */
const ordinary = /^\/(?:private\/)?(?:var\/)?(?:tmp|folders)\/|^\/run\/media\//;
const homes = /^(?:\/(?:home|Users)(?:\/[^/]+)?|\/root|\/var\/root|[a-z]:\\users(?:\\[^\\]+)?)$/i;

/**
 * Judges an absolute path by its form, since the review is read on other machines than the one that runs the job, and by the home
 * folder of this one.
 */
export function folderReach(path: string, home: string): FolderReach {
  if (/^(?:\/|[a-z]:\\?|\\\\[^\\]+(?:\\[^\\]+)?\\?)$/i.test(path)) return "disk";
  if (homes.test(path) || path === home || home.startsWith(`${path}/`) || home.startsWith(`${path}\\`)) return "home";
  if (
    /[\\/]\.[^\\/]/.test(path) ||
    /^(?:\/Users\/[^/]+\/Library|[a-z]:\\users\\[^\\]+\\appdata)(?:[\\/]|$)/i.test(path)
  )
    return "hidden";
  return systemFolders.test(path) && !ordinary.test(path) ? "system" : "folder";
}
