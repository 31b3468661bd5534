export { startTestPlatform, type TestPlatform, type TestPlatformOptions } from './test-platform.ts';
export { recordSpans, type RecordedSpan, type RecordedSpans } from './record-spans.ts';
export { scrape, scraped, type Scraped } from './scrape.ts';
export { beatsAt, publishBeats } from './beats.ts';
