import { createPageI18n } from '@shared/i18n'
import '@shared/styles/tokens.css'
import '@shared/styles/base.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { PAGE_I18N } from './composables/usePageI18n'
import { connectServer } from './lib/server'
import { MESSAGES } from './locales'
import { createStaffRouter } from './router'
import { leftBy, useSession } from './stores/session'
import './styles/staff.css'

const pinia = createPinia()
const session = useSession(pinia)
connectServer({ csrfToken: () => session.csrfToken, onSessionEnded: (code) => session.leave(leftBy(code)) })

const i18n = createPageI18n(MESSAGES)

createApp(App)
  .provide(PAGE_I18N, i18n)
  .use(pinia)
  .use(i18n)
  .use(createStaffRouter())
  .mount('#app')
