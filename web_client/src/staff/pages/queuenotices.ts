import type { StaffArea } from './registry'

export default {
  page: 'queuenotices',
  position: 74,
  roles: ['supervisor', 'admin'],
  routes: [{ path: '/queuenotices', component: () => import('../views/QueueNoticesView.vue') }],
} satisfies StaffArea
