import { hkdfSync, createSecretKey } from 'node:crypto'
import { createLimiters, createRemoteKeys } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import {
  createTokenFormat,
  nonceKeyFrom,
  sealKeyFrom,
  Secrets,
  successorKeyFrom,
  tagKeyFrom,
} from '@countersign/tokens'
import type { TokenIssuerOptions } from '../service.ts'

const minute = 60_000

const registered = {
  registration: { enabled: false, initialAccessTokens: [], scopes: [], grants: [], audience: [] },
  resources: [],
  lifetimes: { accessTokenMs: minute, refreshTokenMs: 60 * minute },
}

/** A token issuer's options besides its store, its clients, its time and its randomness: it reaches nobody, and does nothing by itself. */
export const plainSettings = (masterKey: Uint8Array) =>
  ({
    issuer: 'https://id.example',
    format: createTokenFormat(tagKeyFrom(masterKey)),
    sealKeys: [sealKeyFrom(masterKey)],
    secrets: {
      successors: [successorKeyFrom(masterKey)],
      userCodes: createSecretKey(Buffer.from(hkdfSync('sha256', masterKey, '', 'user codes of a test', 32))),
      dpopNonces: nonceKeyFrom(masterKey),
    },
    remoteKeys: createRemoteKeys({ now: Date.now, allowLoopback: true }),
    fetchJson: () => Promise.reject(new Failure('unavailable', 'nobody is reached from here')),
    providers: () => [],
    audienceOf: () => undefined,
    post: () => Promise.reject(new Failure('unavailable', 'nobody is reached from here')),
    scopes: () => new Map(),
    lifetimes: {
      authorizationCodeMs: minute,
      refreshTokenMs: 60 * minute,
      refreshGraceMs: 10_000,
      idTokenMs: 5 * minute,
      authorizationRequestMs: 30 * minute,
      pushedRequestMs: minute,
      deviceCodeMs: 10 * minute,
    },
    authorization: { requestObjects: 'refused', requirePushedRequests: false, dpopNonces: false },
    mutualTls: false,
    keyRotationMs: 90 * 24 * 60 * minute,
    longestTokenMs: 60 * minute,
    limiter: createLimiters({}),
    clientSecrets: new Secrets(),
    registered: () => registered,
    reach: { allowLoopback: true },
    throttle: { failedGrantsPerMinute: 0, authorizationRequestsPerMinute: 0, registrationsPerMinute: 0 },
    overBacklog: () => false,
    clock: { after: () => () => undefined },
    log: { warn: () => undefined, error: () => undefined },
  }) satisfies Partial<TokenIssuerOptions>
