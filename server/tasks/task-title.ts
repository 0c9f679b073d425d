import { storableText } from "../store/text.ts";

/** Most characters of a title. */
export const longestTitle = 200;

/** A title as it is kept: one line. */
export function cleanTitle(title: string): string {
  return storableText(title).replace(/\s+/gu, " ").trim().slice(0, longestTitle).toWellFormed();
}

/** A title within a message: short, and without what could pass for more than a title. */
export function quoteTitle(title: string): string {
  const plain = title.replace(/[\p{C}"`<>[\]|]+/gu, " ").trim();
  return `"${plain.length <= 60 ? plain : `${plain.slice(0, 59).toWellFormed()}…`}"`;
}
