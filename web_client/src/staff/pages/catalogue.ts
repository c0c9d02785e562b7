import type { StaffArea } from './registry'

export default {
  page: 'catalogue',
  position: 70,
  roles: ['admin', 'supervisor'],
  routes: [{ path: '/catalogue', component: () => import('../views/CatalogueView.vue') }],
} satisfies StaffArea
