/** Texts of the open interface: keys, webhooks and their messages. */
export default {
  'zh-CN': {
    app: { nav: { interface: '开放接口' } },
    alarms: { kind: { webhook: { failed: '接口消息没有送达' } } },
    error: {
      key: { not_found: '没有这个密钥。', revoked: '这个密钥已经吊销。', not_active: '这个密钥已失效，请换一个。' },
      webhook: {
        target_denied: '不能发往这个地址：须为 https 公网地址，或管理员已登记的内部网段。', not_found: '没有这个通知地址。', delivery_not_found: '没有这条消息。', waiting: '这条消息正在发送。',
        unreachable: '对方连不上', refused: '对方拒收', off: '通知已停用，或密钥已失效',
      },
    },
    interface: {
      title: '开放接口', docs: '接口文档', keys: '密钥', noKeys: '还没有其他系统接入。新建一个密钥，交给对方系统。', name: '系统名称', days: '有效天数', scopes: '可以做什么', makeKey: '新建密钥',
      scope: { appointments: '预约', calls: '查看通话', results: '查看结果', everybody: '全部客户的通话' }, until: '有效至 {at}', used: '最近使用 {at}', unused: '还没用过', revoke: '吊销',
      keyState: { active: '有效', expired: '已过期', revoked: '已吊销' }, once: { key: '“{name}”的密钥只显示这一次，请立即交给对方保存：', webhook: '{name} 的签名密钥只显示这一次，请立即交给对方保存：' }, noted: '已保存，关闭',
      webhooks: '通知地址', noWebhooks: '还没有通知地址。', system: '系统', url: '地址', events: '通知什么', makeWebhook: '新建通知', on: '启用', off: '停用', turnOn: '启用', turnOff: '停用', failed: '{n} 条未送达',
      event: { call_queued: '进入排队', call_accepted: '柜员接听', call_connected: '接通', call_ended: '通话结束', recording_ready: '录像就绪', result_ready: '结果就绪', voucher_issued: '凭证开出' },
      deliveries: '通知消息', filter: '按状态筛选', state: { failed: '未送达', waiting: '发送中', sent: '已送达', all: '全部' }, noDeliveries: '没有这样的消息', attempts: '第 {n} 次', replay: '重发',
    },
  },
  en: {
    app: { nav: { interface: 'Open interface' } },
    alarms: { kind: { webhook: { failed: 'A webhook message was not delivered' } } },
    error: {
      key: { not_found: 'There is no such key.', revoked: 'This key is revoked already.', not_active: 'This key is no longer good; choose another.' },
      webhook: {
        target_denied: 'Messages cannot go there: it must be a public https address or lie in a network the administrator has named.', not_found: 'There is no such webhook.', delivery_not_found: 'There is no such message.', waiting: 'This message is on its way.',
        unreachable: 'The other system cannot be reached', refused: 'The other system refuses', off: 'The webhook is off or its key no longer good',
      },
    },
    interface: {
      title: 'Open interface', docs: 'Documentation', keys: 'Keys', noKeys: 'No other system comes in yet. Make a key and hand it to the other system.', name: 'System', days: 'Days it is good', scopes: 'What it may do', makeKey: 'Make a key',
      scope: { appointments: 'book', calls: 'follow calls', results: 'fetch results', everybody: 'calls of all customers' }, until: 'until {at}', used: 'last used {at}', unused: 'never used', revoke: 'Revoke',
      keyState: { active: 'active', expired: 'expired', revoked: 'revoked' }, once: { key: 'The key of “{name}” is shown this once; hand it over now:', webhook: 'The signing secret of {name} is shown this once; hand it over now:' }, noted: 'Noted, close',
      webhooks: 'Webhooks', noWebhooks: 'There are no webhooks yet.', system: 'System', url: 'Address', events: 'What of', makeWebhook: 'Make a webhook', on: 'on', off: 'off', turnOn: 'Turn on', turnOff: 'Turn off', failed: '{n} not delivered',
      event: { call_queued: 'queued', call_accepted: 'accepted', call_connected: 'connected', call_ended: 'ended', recording_ready: 'recording ready', result_ready: 'result ready', voucher_issued: 'voucher issued' },
      deliveries: 'Webhook messages', filter: 'Filter by state', state: { failed: 'not delivered', waiting: 'on its way', sent: 'delivered', all: 'all' }, noDeliveries: 'No such messages', attempts: 'attempt {n}', replay: 'Send again',
    },
  },
}
