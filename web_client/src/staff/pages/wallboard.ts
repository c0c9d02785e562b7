import type { StaffArea } from './registry'

export default {
  page: 'wallboard',
  position: 20,
  roles: ['supervisor'],
  routes: [
    { path: '/wallboard', component: () => import('../views/WallboardView.vue') },
    { path: '/wallboard/emergency', component: () => import('../views/EmergencyView.vue') },
  ],
} satisfies StaffArea
