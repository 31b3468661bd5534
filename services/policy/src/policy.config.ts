import { configSection } from '@gatehouse/platform';
import { z } from 'zod';

/** Policy's settings. */
export const policyConfig = configSection(
  'policy',
  'Roles, published as numbered bundles. There is nothing to set yet.',
  z.strictObject({}),
);
