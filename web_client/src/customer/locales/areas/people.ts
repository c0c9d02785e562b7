/** Texts of complaints, and of what the house says when it is closed for a while. */
export default {
  'zh-CN': {
    complaint: {
      open: '有不满意？我要反映问题',
      label: '请告诉我们发生了什么',
      hint: '写一次就好，相关部门都会看到。请不要写密码和验证码。',
      send: '提交',
      sent: '已收到，编号 {number}',
      next: '15 分钟内会有专人查看，24 小时内给您答复。',
    },
    errors: { counter_maintenance: '系统正在维护，暂时无法排队。请稍后再来，您已等候的时间会保留。' },
  },
  en: {
    complaint: {
      open: 'Not satisfied? Tell us',
      label: 'What happened?',
      hint: 'Once is enough: every department concerned sees it. Please write no passwords or codes.',
      send: 'Send',
      sent: 'Received, number {number}',
      next: 'Somebody looks at it within 15 minutes; you have an answer within 24 hours.',
    },
    errors: { counter_maintenance: 'The counter is being maintained. Please come back later; what you have waited for is kept.' },
  },
}
