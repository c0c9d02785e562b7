import type { StaffArea } from './registry'

export default {
  page: 'search',
  position: 45,
  roles: ['inspector', 'qa_lead'],
  routes: [{ path: '/search', component: () => import('../views/SearchView.vue') }],
} satisfies StaffArea
