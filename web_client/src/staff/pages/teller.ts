import type { StaffArea } from './registry'

export default {
  page: 'teller',
  position: 10,
  roles: ['teller'],
  routes: [{ path: '/teller', component: () => import('../views/TellerView.vue') }],
} satisfies StaffArea
