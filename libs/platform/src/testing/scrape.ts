/** What a process told at `/metrics`. */
export interface Scraped {
  /** The sum of the series of this name that have these labels; undefined where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** The names of our own families, as their `# TYPE` lines say them. */
  readonly families: readonly string[];
  readonly text: string;
}

/** Asks for the metrics of a process by its public door, as Prometheus does. */
export async function scrape(url: string, token?: string): Promise<Scraped> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/metrics`, { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`/metrics answers ${response.status}: ${text}`);
  return scraped(text);
}

/** Metrics as text, to be asked of. */
export function scraped(text: string): Scraped {
  return {
    value: (name, labels = {}) => sumOf(text, name, labels),
    families: [...text.matchAll(/^# TYPE (gatehouse_\w+)/gm)].map(([, name]) => name!),
    text,
  };
}

function sumOf(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) =>
      wanted.every((pair) => line.includes(`{${pair}`) || line.includes(`,${pair}`)),
    )
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
