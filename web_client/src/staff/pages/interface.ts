import type { StaffArea } from './registry'

export default {
  page: 'interface',
  position: 90,
  roles: ['admin'],
  routes: [{ path: '/interface', component: () => import('../views/InterfaceView.vue') }],
} satisfies StaffArea
