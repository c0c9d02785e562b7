import type { StaffArea } from './registry'

export default {
  page: 'catalogue',
  position: 70,
  roles: ['admin'],
  routes: [{ path: '/catalogue', component: () => import('../views/CatalogueView.vue') }],
} satisfies StaffArea
