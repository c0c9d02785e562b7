import type { StaffArea } from './registry'

export default {
  page: 'fraud',
  position: 26,
  roles: ['supervisor'],
  routes: [{ path: '/fraud', component: () => import('../views/FraudView.vue') }],
} satisfies StaffArea
