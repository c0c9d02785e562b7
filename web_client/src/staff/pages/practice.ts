import type { StaffArea } from './registry'

export default {
  page: 'practice',
  position: 22,
  roles: ['teller'],
  routes: [{ path: '/practice', component: () => import('../views/PracticeView.vue') }],
} satisfies StaffArea
