import type { AreaTexts } from '@shared/i18n'

/** What was recorded besides the two faces. */
const texts: AreaTexts = {
  'zh-CN': {
    screen: { name: '共享屏幕', video: '柜员共享的屏幕录像' },
    qa: {
      detail: {
        check: {
          screen_unreadable: '{party}共享的屏幕没有可播放的画面',
          screen_packet_loss: '{party}共享屏幕时网络丢包（{share}）',
        },
      },
    },
  },
  en: {
    screen: { name: 'Shared screen', video: 'Recording of the screen the teller shared' },
    qa: {
      detail: {
        check: {
          screen_unreadable: 'The screen shared by the {party} has no playable picture',
          screen_packet_loss: 'Network loss while the {party} shared the screen ({share})',
        },
      },
    },
  },
}

export default texts
