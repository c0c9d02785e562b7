import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Where the server listens while `npm run dev` serves the pages. */
const serverUrl = process.env.AIRCOUNTER_URL ?? 'http://127.0.0.1:8080'

/** The development server answers the same paths as the edge does: `/` and `/staff/…`. */
function entryPaths(): Plugin {
  return {
    name: 'entry-paths',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const path = (request.url ?? '').split('?')[0] ?? ''
        if (['/', '/verify', '/prefill'].includes(path)) request.url = '/customer.html'
        else if (path === '/staff' || /^\/staff\/[^.]*$/.test(path)) request.url = '/staff.html'
        next()
      })
    },
  }
}

export default defineConfig({
  plugins: [vue(), entryPaths()],
  appType: 'mpa',
  // Vue-i18n compiles messages to closures, without eval: the pages run under a strict CSP.
  define: { __VUE_I18N_LEGACY_API__: 'false', __INTLIFY_PROD_DEVTOOLS__: 'false' },
  resolve: { alias: { '@shared': fileURLToPath(new URL('./src/shared', import.meta.url)) } },
  build: {
    target: 'es2022',
    // No data: addresses, so that the CSP can name 'self' alone.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['customer.html', 'staff.html'] },
  },
  server: {
    proxy: {
      '/api': serverUrl,
      '/health': serverUrl,
      '/socket.io': { target: serverUrl, ws: true },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    restoreMocks: true,
    testTimeout: 20_000, // a shared machine is slow at times, and the first test of a file loads what it needs
  },
})
