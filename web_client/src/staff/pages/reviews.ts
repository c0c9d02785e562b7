import type { StaffArea } from './registry'

export default {
  page: 'reviews',
  position: 25,
  roles: ['supervisor'],
  routes: [{ path: '/reviews', component: () => import('../views/ReviewsView.vue') }],
} satisfies StaffArea
