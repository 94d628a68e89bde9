import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Everything the page needs is in dist/: the content security policy allows no other origin and no inline script or style. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2023', sourcemap: false },
})
