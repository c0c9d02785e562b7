import type { StaffArea } from './registry'

export default {
  page: 'expert',
  position: 15,
  roles: ['expert', 'teller'],
  routes: [{ path: '/expert', component: () => import('../views/ExpertView.vue') }],
} satisfies StaffArea
