export type { AdministrationCalls } from './administration/administration.ts'
export { operatorOf } from './administration/callers.ts'
export { createNoticePost } from './logout/post.ts'
export { createTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from './service.ts'
