import type { StaffArea } from './registry'

export default {
  page: 'teamquality',
  position: 85,
  roles: ['supervisor'],
  routes: [
    { path: '/teamquality', component: () => import('../views/inspection/AppealsView.vue'), props: { area: 'teamquality' } },
    { path: '/teamquality/rectifications', component: () => import('../views/inspection/RectificationsView.vue'), props: { area: 'teamquality' } },
    { path: '/teamquality/reports', component: () => import('../views/inspection/ReportsView.vue'), props: { area: 'teamquality' } },
  ],
} satisfies StaffArea
