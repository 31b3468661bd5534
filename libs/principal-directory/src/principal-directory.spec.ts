import type { KeyState, PrincipalRef, PrincipalState } from '@gatehouse/event-catalog';
import { classKey } from '@gatehouse/policy-engine';
import { beforeEach, describe, expect, it } from 'vitest';
import { mintKey, PrincipalDirectory, principalKey } from './index.ts';

type User = Extract<PrincipalState, { kind: 'user' }>;
type Agent = Extract<PrincipalState, { kind: 'agent' }>;

const now = new Date('2026-06-01T12:00:00.000Z');
const adaKey = mintKey('ada1', new Uint8Array(32).fill(1));
const botKey = mintKey('bot1', new Uint8Array(32).fill(2));

const key = (keyId: string, secretSha256: string, notAfter: string | null = null): KeyState => ({
  keyId,
  secretSha256,
  notAfter,
});
const ada: User = {
  kind: 'user',
  id: 'u-ada',
  name: 'ada',
  displayName: 'Ada',
  active: true,
  groupIds: ['g-1'],
  roles: ['viewer'],
  keys: [key('ada1', adaKey.secretSha256)],
};
const bot: Agent = {
  kind: 'agent',
  id: 'a-bot',
  name: 'bot',
  active: true,
  ownerUserId: 'u-ada',
  roles: ['robot'],
  keys: [key('bot1', botKey.secretSha256)],
};
const finance: PrincipalState = {
  kind: 'group',
  id: 'g-1',
  name: 'Finance',
  roles: ['clerk', 'viewer'],
};

const adaRef: PrincipalRef = { kind: 'user', id: 'u-ada' };
const botRef: PrincipalRef = { kind: 'agent', id: 'a-bot' };

let directory: PrincipalDirectory;
let position: number;

function given(...entities: PrincipalState[]): void {
  for (const entity of entities) directory.apply(principalKey(entity), entity, (position += 1));
}
function gone(gonesKey: string): void {
  directory.apply(gonesKey, null, (position += 1));
}
const ask = (token: string, at = now) => directory.authenticate(`Bearer ${token}`, at);
const askForAda = (at = now) => ask(adaKey.token, at);

beforeEach(() => {
  directory = new PrincipalDirectory();
  position = 0;
});

describe('authentication', () => {
  it('is refused to whom a word without a position has taken away, until the same or something newer is told again', () => {
    given({ ...ada, roles: ['older'] }, ada);
    for (let times = 0; times < 3; times += 1) directory.takeAway('user:u-ada');
    expect(askForAda()).toMatchObject({ kind: 'refused', code: 'token-refused' });
    directory.apply('user:u-ada', { ...ada, roles: ['older'] }, position - 1);
    expect(askForAda()).toMatchObject({ kind: 'refused', code: 'token-refused' });
    directory.apply('user:u-ada', ada, position);
    expect(askForAda()).toMatchObject({ kind: 'principal' });
  });

  it('tells who calls, with the roles of their groups, sorted and each once', () => {
    given(finance, ada);
    const roles = ['clerk', 'viewer'];
    expect(askForAda()).toEqual({
      kind: 'principal',
      keyId: 'ada1',
      principal: { kind: 'user', id: 'u-ada', name: 'ada', roles, classKey: classKey(roles) },
    });
  });

  it('answers with the same frozen caller until something about them changes', () => {
    given(finance, ada);
    const first = directory.current(adaRef, 'ada1', now);
    expect(directory.current(adaRef, 'ada1', now)).toBe(first);
    expect(Object.isFrozen(first) && Object.isFrozen(first?.roles)).toBe(true);
    given({ ...ada, roles: [] });
    expect(directory.current(adaRef, 'ada1', now)?.roles).toEqual(['clerk', 'viewer']);
    expect(directory.current(adaRef, 'ada1', now)).not.toBe(first);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    adaKey.token,
    `Bearer ${adaKey.token} x`,
  ])('is required of a caller with the header %j', (header) => {
    given(ada);
    expect(directory.authenticate(header, now)).toMatchObject({ code: 'authentication-required' });
  });

  it('takes the scheme in any case', () => {
    given(ada);
    expect(directory.authenticate(`bearer ${adaKey.token}`, now).kind).toBe('principal');
    expect(directory.authenticate(`BEARER  ${adaKey.token} `, now).kind).toBe('principal');
  });

  it('tells a garbled token from one that is unknown', () => {
    given(ada);
    expect(ask(`${adaKey.token}x`)).toMatchObject({ code: 'token-malformed' });
    expect(ask('eyJhbGciOiJub25lIn0.e30.')).toMatchObject({ code: 'token-malformed' });
    const unknown = mintKey('nobody', new Uint8Array(32).fill(1)).token;
    expect(ask(unknown)).toMatchObject({
      code: 'token-refused',
      internal: expect.stringMatching(/^key \w+ was revoked, or never issued$/) as unknown,
    });
  });

  it('refuses the right key id with another secret', () => {
    given(ada);
    const forged = mintKey('ada1', new Uint8Array(32).fill(66)).token;
    expect(ask(forged)).toMatchObject({ kind: 'refused', code: 'token-refused' });
    expect(askForAda().kind).toBe('principal');
  });

  it.each(['', 'zz', adaKey.secretSha256.slice(2), `${adaKey.secretSha256}00`])(
    'refuses when the kept digest is %j',
    (secretSha256) => {
      given({ ...ada, keys: [key('ada1', secretSha256)] });
      expect(askForAda()).toMatchObject({ code: 'token-refused' });
    },
  );

  it('refuses a key from the moment it ends', () => {
    const notAfter = '2026-06-01T12:00:00.000Z';
    given({ ...ada, keys: [key('ada1', adaKey.secretSha256, notAfter)] });
    expect(askForAda(new Date('2026-06-01T11:59:59.999Z')).kind).toBe('principal');
    expect(askForAda(new Date(notAfter))).toMatchObject({ code: 'token-refused' });
    expect(directory.current(adaRef, 'ada1', new Date(notAfter))).toBeUndefined();
    expect(askForAda(new Date(Number.NaN))).toMatchObject({ code: 'token-refused' });
  });

  it('refuses a token it knew, once its key is revoked, its holder deactivated or gone', () => {
    given(ada);
    expect(askForAda().kind).toBe('principal');
    given({ ...ada, keys: [] });
    expect(askForAda()).toMatchObject({ code: 'token-refused' });
    given(ada);
    expect(askForAda().kind).toBe('principal');
    given({ ...ada, active: false });
    expect(askForAda()).toMatchObject({ code: 'token-refused' });
    given(ada);
    gone('user:u-ada');
    expect(askForAda()).toMatchObject({ code: 'token-refused' });
    expect(directory.current(adaRef, 'ada1', now)).toBeUndefined();
  });

  it('refuses a key that two principals hold, until one of them lets go of it', () => {
    given(ada, { ...bot, keys: ada.keys });
    expect(askForAda()).toMatchObject({ code: 'token-refused' });
    expect(directory.current(adaRef, 'ada1', now)).toBeUndefined();
    given(bot);
    expect(askForAda().kind).toBe('principal');
  });

  it('refuses a key id that one principal holds twice', () => {
    given({ ...ada, keys: [...ada.keys, key('ada1', botKey.secretSha256)] });
    expect(askForAda()).toMatchObject({ code: 'token-refused' });
  });

  it('does not tell the caller apart who is unknown, expired or locked out', () => {
    given({ ...ada, active: false });
    const locked = askForAda();
    const unknown = ask(mintKey('nobody', new Uint8Array(32)).token);
    expect([locked, unknown]).toMatchObject([{ code: 'token-refused' }, { code: 'token-refused' }]);
    expect(JSON.stringify([locked, unknown])).not.toContain(adaKey.token);
  });
});

describe('an agent', () => {
  it('calls with its own roles only, not with those of its owner', () => {
    given(finance, ada, bot);
    expect(ask(botKey.token)).toMatchObject({ principal: { kind: 'agent', roles: ['robot'] } });
  });

  it('may call without an owner', () => {
    given({ ...bot, ownerUserId: null });
    expect(ask(botKey.token).kind).toBe('principal');
  });

  it('is refused while its owner is unknown, deactivated or gone, and may call again after', () => {
    given(bot);
    expect(ask(botKey.token)).toMatchObject({ code: 'token-refused' });
    given(ada);
    expect(ask(botKey.token).kind).toBe('principal');
    given({ ...ada, active: false });
    expect(ask(botKey.token)).toMatchObject({ code: 'token-refused' });
    expect(directory.current(botRef, 'bot1', now)).toBeUndefined();
    given(ada);
    expect(ask(botKey.token).kind).toBe('principal');
    gone('user:u-ada');
    expect(ask(botKey.token)).toMatchObject({ code: 'token-refused' });
  });

  it('is not vouched for by an agent with the id of its owner', () => {
    given({ ...bot, id: 'u-ada', keys: [] }, bot);
    expect(ask(botKey.token)).toMatchObject({ code: 'token-refused' });
  });

  it('is refused when it is disabled itself', () => {
    given(ada, { ...bot, active: false });
    expect(ask(botKey.token)).toMatchObject({ code: 'token-refused' });
  });
});

describe('a live session', () => {
  it('goes on with the roles its caller has now', () => {
    given(ada);
    expect(directory.current(adaRef, 'ada1', now)?.roles).toEqual(['viewer']);
    given(finance);
    expect(directory.current(adaRef, 'ada1', now)?.roles).toEqual(['clerk', 'viewer']);
    gone('group:g-1');
    expect(directory.current(adaRef, 'ada1', now)?.roles).toEqual(['viewer']);
  });

  it('does not go on under the key of somebody else', () => {
    given(ada, bot);
    expect(directory.current(adaRef, 'bot1', now)).toBeUndefined();
    expect(directory.current(botRef, 'ada1', now)).toBeUndefined();
    expect(directory.current({ kind: 'user', id: 'u-none' }, 'ada1', now)).toBeUndefined();
  });
});

describe('a change', () => {
  let heard: (readonly PrincipalRef[])[];

  beforeEach(() => {
    given(finance, ada, bot);
    heard = [];
    directory.onChange((affected) => heard.push(affected));
  });

  it('of a user affects the user, and the agents of the user when they come or go', () => {
    given({ ...ada, roles: [] });
    given({ ...ada, active: false });
    given(ada);
    gone('user:u-ada');
    expect(heard).toEqual([[adaRef], [adaRef, botRef], [adaRef, botRef], [adaRef, botRef]]);
  });

  it('of an agent affects that agent', () => {
    given({ ...bot, roles: [] });
    gone('agent:a-bot');
    expect(heard).toEqual([[botRef], [botRef]]);
  });

  it('of a user does not affect agents that have another owner by now', () => {
    given({ ...bot, ownerUserId: null });
    given({ ...ada, active: false });
    expect(heard).toEqual([[botRef], [adaRef]]);
  });

  it('of a group affects all its members, who see it before they hear of it', () => {
    given({ ...ada, id: 'u-eve', name: 'eve', keys: [] });
    const seen: unknown[] = [];
    directory.onChange(() => seen.push(directory.current(adaRef, 'ada1', now)?.roles));
    given({ ...finance, roles: ['auditor'] });
    gone('group:g-1');
    const members = [adaRef, { kind: 'user', id: 'u-eve' }];
    expect(heard.slice(1)).toEqual([members, members]);
    expect(seen).toEqual([['auditor', 'viewer'], ['viewer']]);
  });

  it('of a group does not affect those who left it', () => {
    given({ ...ada, groupIds: [] });
    given({ ...finance, roles: [] });
    expect(heard).toEqual([[adaRef]]);
  });

  it('that is stale or repeated affects nobody', () => {
    directory.apply('user:u-ada', { ...ada, active: false }, position - 2);
    directory.apply('agent:a-bot', null, position);
    gone('user:u-nobody');
    expect(heard).toEqual([]);
    expect(askForAda().kind).toBe('principal');
  });

  it('is not heard any more by a listener that left', () => {
    const late: unknown[] = [];
    const leave = directory.onChange((affected) => late.push(affected));
    leave();
    given({ ...bot, roles: [] });
    expect([heard.length, late.length]).toEqual([1, 0]);
  });

  it('reaches every listener though one of them fails, and is applied', () => {
    const after: unknown[] = [];
    directory.onChange(() => {
      throw new Error('no');
    });
    directory.onChange((affected) => after.push(affected));
    expect(() => given({ ...ada, active: false })).toThrow('a listener failed');
    expect(after).toHaveLength(1);
    expect(askForAda()).toMatchObject({ code: 'token-refused' });
  });

  it('under the key of another entity is refused, and changes nothing', () => {
    expect(() => directory.apply('user:u-eve', ada, 99)).toThrow('speaks of user:u-ada');
    expect(() => directory.apply('agent:u-ada', ada, 99)).toThrow('speaks of user:u-ada');
    expect(heard).toEqual([]);
  });
});
