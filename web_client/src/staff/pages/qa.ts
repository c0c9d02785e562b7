import type { StaffArea } from './registry'

export default {
  page: 'qa',
  position: 40,
  roles: ['inspector', 'qa_lead'],
  routes: [
    { path: '/qa', component: () => import('../views/QaListView.vue') },
    { path: '/qa/queue', component: () => import('../views/inspection/QueueView.vue') },
    { path: '/qa/plans', component: () => import('../views/inspection/PlansView.vue') },
    { path: '/qa/forms', component: () => import('../views/inspection/FormsView.vue') },
    { path: '/qa/appeals', component: () => import('../views/inspection/AppealsView.vue'), props: { area: 'qa' } },
    { path: '/qa/rectifications', component: () => import('../views/inspection/RectificationsView.vue'), props: { area: 'qa' } },
    { path: '/qa/calibration', component: () => import('../views/inspection/CalibrationView.vue') },
    { path: '/qa/coaching', component: () => import('../views/inspection/CoachingView.vue'), props: { area: 'qa' } },
    { path: '/qa/cases', component: () => import('../views/inspection/CasesView.vue'), props: { area: 'qa' } },
    { path: '/qa/reports', component: () => import('../views/inspection/ReportsView.vue'), props: { area: 'qa' } },
    { path: '/qa/:callId(call_\\w+)', component: () => import('../views/QaCallView.vue'), props: true },
  ],
} satisfies StaffArea
