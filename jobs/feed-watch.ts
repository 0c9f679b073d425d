/*
 * Watches Atom and RSS feeds. The first run remembers what is there; each later run logs and returns the entries that are new.
 *
 * To watch others, change `feeds` below and the hosts in `permissions.net`.
 */
import { defineJob, z } from "jobrunner";

const feeds = ["https://nodejs.org/en/feed/releases.xml"];

export default defineJob({
  description: "Tells of new entries in Atom and RSS feeds",
  schedule: { cron: "0 * * * *", catchUp: "latest" },
  permissions: { net: ["nodejs.org"] },
  limits: { timeout: "60s" },
  retry: { attempts: 3, delay: "1m" },
  input: z.object({ feeds: z.array(z.url()).min(1).max(50).default(feeds) }),

  async run({ input, kv, log }) {
    const fresh: (Entry & { feed: string })[] = [];
    const failed: string[] = [];
    for (const feed of input.feeds) {
      try {
        const entries = await readFeed(feed);
        const known = await kv.get<string[]>(`seen:${feed}`);
        const news = known === undefined ? [] : entries.filter(({ id }) => !known.includes(id)).reverse();
        // What a feed drops and shows again later is not news, so what was seen stays seen for a while.
        const seen = [...new Set([...entries.map(({ id }) => id), ...(known ?? [])])].slice(0, 1_000);
        await kv.set(`seen:${feed}`, seen);
        if (known === undefined)
          log.info(`${feed}: remembered ${entries.length} entries; new ones are told from now on`);
        for (const entry of news) {
          log.info(`${entry.title} ${entry.link}`);
          fresh.push({ ...entry, feed });
        }
      } catch (error) {
        log.warn(`${feed}: ${error instanceof Error ? error.message : String(error)}`);
        failed.push(feed);
      }
    }
    if (failed.length === input.feeds.length) throw new Error(`no feed could be read: ${failed.join(", ")}`);
    return { checked: input.feeds.length - failed.length, failed, new: fresh };
  },
});

type Entry = { id: string; title: string; link: string; date: string };

async function readFeed(url: string): Promise<Entry[]> {
  const response = await fetch(url, {
    headers: { accept: "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1" },
  });
  if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`.trim());
  return parseFeed(await response.text(), response.url || url);
}

/** The entries of an Atom, RSS 2.0 or RSS 1.0 document, in its order. */
function parseFeed(xml: string, base: string): Entry[] {
  const text = xml
    .replace(/<!--[\s\S]*?-->/g, "")
    // Character data becomes ordinary escaped text, so that a "</item>" inside of it ends nothing.
    .replace(/<!\[CDATA\[([\s\S]*?)\]\]>/g, (_, data: string) => escapeXml(data));
  if (!/<(?:[\w-]+:)?(?:rss|feed|RDF)[\s>]/.test(text)) throw new Error("that is no Atom or RSS feed");
  const items = text.matchAll(/<((?:[\w-]+:)?(?:item|entry))(?:\s[^>]*)?>([\s\S]*?)<\/\1\s*>/g);
  return [...items].map(([, , body = ""]) => readEntry(body, base));
}

function readEntry(body: string, base: string): Entry {
  // Atom entries may hold the title and link of the feed that they come from, and content may hold anything.
  const item = body.replace(
    /<((?:atom:)?(?:source|content|summary)|description|content:encoded)(?:\s[^>]*)?>[\s\S]*?<\/\1\s*>/g,
    "",
  );
  const link = findLink(item, base);
  const title = plainText(textOf(item, ["title", "atom:title"])) || link || "(no title)";
  const date = textOf(item, ["pubDate", "published", "updated", "dc:date", "atom:published", "atom:updated"]);
  return { id: textOf(item, ["guid", "id", "atom:id"]) || link || `${title} ${date}`, title, link, date };
}

/** The text of the first of these elements that has any. */
function textOf(item: string, names: string[]): string {
  for (const name of names) {
    const match = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}\\s*>`).exec(item);
    const text = unescapeXml(match?.[1] ?? "").trim();
    if (text !== "") return text;
  }
  return "";
}

/** Atom: the href of the alternate link. RSS: the text of the link, else a guid that is an address, else a podcast's file. */
function findLink(item: string, base: string): string {
  const links = [...item.matchAll(/<(?:atom:)?link\s([^>]*?)\/?>/g)].map(([, attributes = ""]) => attributes);
  const alternate = links.find(
    (attributes) => ["", "alternate"].includes(attribute(attributes, "rel")) && attribute(attributes, "href") !== "",
  );
  const guid = textOf(item, ["guid"]);
  const enclosure = /<enclosure\s([^>]*)>/.exec(item)?.[1] ?? "";
  const found =
    textOf(item, ["link"]) ||
    attribute(alternate ?? links[0] ?? "", "href") ||
    (/^https?:/.test(guid) ? guid : attribute(enclosure, "url"));
  return found !== "" && URL.canParse(found, base) ? new URL(found, base).href : found;
}

function attribute(attributes: string, name: string): string {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes);
  return unescapeXml(match?.[1] ?? match?.[2] ?? "").trim();
}

/** Titles may hold markup, escaped or not. */
function plainText(text: string): string {
  return unescapeXml(text.replace(/<\/?[a-z][^>]*>/gi, ""))
    .replace(/\s+/g, " ")
    .trim();
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const named: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  ndash: "–",
  mdash: "—",
  hellip: "…",
};

function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,8}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
