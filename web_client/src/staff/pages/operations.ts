import type { StaffArea } from './registry'

export default {
  page: 'operations',
  position: 85,
  roles: ['admin'],
  routes: [{ path: '/operations', component: () => import('../views/OperationsView.vue') }],
} satisfies StaffArea
