import type { Suite } from '../suite.ts'
import { compareFlows } from './code-flow.ts'

export const refresh: Suite = {
  name: 'refresh',
  about: 'refresh tokens with rotation, each family one at a time, against oidc-provider',
  run: (context) => compareFlows(context, 'refresh'),
}
