export { createTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from './service.ts'
