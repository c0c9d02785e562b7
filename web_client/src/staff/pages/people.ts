import type { StaffArea } from './registry'

export default {
  page: 'people',
  position: 71,
  roles: ['admin'],
  routes: [{ path: '/people', component: () => import('../views/PeopleView.vue') }],
} satisfies StaffArea
