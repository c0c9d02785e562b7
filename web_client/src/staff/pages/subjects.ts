import type { StaffArea } from './registry'

export default {
  page: 'subjects',
  position: 63,
  roles: ['auditor'],
  routes: [{ path: '/subjects', component: () => import('../views/SubjectsView.vue') }],
} satisfies StaffArea
