import nx from '@nx/eslint-plugin'
import { defineConfig, globalIgnores } from 'eslint/config'
import typescript from 'typescript-eslint'

/** Who may import whom: the table of rooms. What is not named here may import nothing of ours. */
const mayImport = {
  contracts: [],
  store: ['contracts', 'servers'],
  rpc: ['contracts'],
  bus: ['contracts', 'store', 'servers'],
  tokens: ['contracts', 'store'],
  accounts: ['contracts', 'store'],
  chassis: ['contracts', 'rpc'],
  'leased-cache': ['contracts'],
  service: ['contracts', 'store', 'bus', 'tokens', 'accounts', 'leased-cache', 'chassis', 'servers'],
  sdk: ['contracts', 'rpc', 'leased-cache', 'servers'],
  simulator: ['contracts', 'store', 'bus', 'tokens', 'leased-cache', 'chassis', 'rpc', 'service', 'sdk'],
  assembly: ['contracts', 'store', 'bus', 'tokens', 'accounts', 'leased-cache', 'chassis', 'rpc', 'service', 'servers'],
  app: [
    'assembly',
    'contracts',
    'store',
    'bus',
    'tokens',
    'accounts',
    'leased-cache',
    'chassis',
    'rpc',
    'service',
    'sdk',
    'servers',
  ],
  bench: [
    'contracts',
    'store',
    'bus',
    'tokens',
    'accounts',
    'leased-cache',
    'chassis',
    'rpc',
    'service',
    'sdk',
    'servers',
  ],
  servers: [],
}
const depConstraints = Object.entries(mayImport).map(([room, rooms]) => ({
  sourceTag: `room:${room}`,
  onlyDependOnLibsWithTags: [`room:${room}`, ...rooms.map((name) => `room:${name}`)],
}))

export default defineConfig([
  globalIgnores([
    '**/node_modules',
    'dist',
    '.nx',
    'data',
    'libs/contracts/src/gen',
    '**/*.mjs',
    '**/*.cjs',
    '**/*.js',
  ]),
  {
    files: ['**/*.ts'],
    extends: [typescript.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { allow: [], depConstraints, enforceBuildableLibDependency: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unused-expressions': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  { files: ['apps/cli/**', 'bench/**', 'examples/**', 'tools/**'], rules: { 'no-console': 'off' } },
])
