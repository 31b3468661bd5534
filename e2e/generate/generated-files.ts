import { readFileSync } from 'node:fs';
import { configPage } from './config-page.ts';
import { configSections } from './config-sections.ts';
import { eventsPage } from './events-page.ts';
import { metricsPage } from './metrics-page.ts';
import { problemsPage } from './problems-page.ts';
import { publishedSchemas } from './published-schemas.ts';

/** A committed file that this folder writes; a frozen one is written once and never again. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
  readonly frozen: boolean;
}

function alertRules(): string {
  return readFileSync(new URL('../../infra/prometheus/alerts.yml', import.meta.url), 'utf8');
}

/** Every generated file of the repo, by its path from the root. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [
    { path: 'docs/reference/events.md', text: eventsPage(), frozen: false },
    { path: 'docs/reference/problems.md', text: problemsPage(), frozen: false },
    { path: 'docs/reference/config.md', text: configPage(configSections), frozen: false },
    { path: 'docs/reference/metrics.md', text: metricsPage(), frozen: false },
    // Helm reads no file outside of the chart.
    { path: 'infra/helm/gatehouse/files/alerts.yml', text: alertRules(), frozen: false },
    ...[...publishedSchemas()].map(([name, text]) => ({
      path: `libs/event-catalog/published/${name}.json`,
      text,
      frozen: true,
    })),
  ];
}
