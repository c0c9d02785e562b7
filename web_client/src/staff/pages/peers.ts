import type { StaffArea } from './registry'

export default {
  page: 'peers',
  position: 24,
  roles: ['teller'],
  routes: [{ path: '/peers', component: () => import('../views/PeersView.vue') }],
} satisfies StaffArea
