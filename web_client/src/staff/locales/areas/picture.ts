import type { AreaTexts } from '@shared/i18n'

/** How much picture each party of a call sends. */
const texts: AreaTexts = {
  'zh-CN': {
    picture: {
      of: '{who}的画面',
      hint: '“自动”按网络好坏调整；选“流畅”或“仅语音”后保持不变，直到改回“自动”。',
      auto: '画面自动',
      low: '流畅（15 帧/秒）',
      audio: '仅语音',
      vga: '标准',
      soundOnly: '现在只有声音，没有画面',
      lowered: '自动：{now}',
      customerSoundLine: '客户网络不好，暂时只有声音；好转后画面自动恢复。',
      customerSoundHand: '客户这边已选“仅语音”，需要画面时请改回“画面自动”。',
      tellerSpared: '客户的网络不好，暂时看不到您；录像照常，好转后自动恢复。',
      customerSpared: '您的网络不好，暂时不显示客户的画面；录像照常，好转后自动恢复。',
      tellerSoundLine: '您的网络不好，为了听得清楚，暂时不传您的画面，好转后自动恢复。',
      tellerSoundHand: '您选了“仅语音”，客户看不到您。',
    },
  },
  en: {
    picture: {
      of: 'Picture of: {who}',
      hint: '“Automatic” follows the network. “Smooth” and “Sound only” stay until you go back to “Automatic”.',
      auto: 'Automatic picture',
      low: 'Smooth (15/s)',
      audio: 'Sound only',
      vga: 'Standard',
      soundOnly: 'Sound only for now, no picture',
      lowered: 'Automatic: {now}',
      customerSoundLine: 'The customer’s network is poor: only sound for now. The picture comes back by itself.',
      customerSoundHand: '“Sound only” was chosen for the customer. Go back to “Automatic picture” when you need to see.',
      tellerSpared: 'The customer’s network is poor: you are not seen for now. You are recorded all the same; it comes back by itself.',
      customerSpared: 'Your network is poor: the customer is not shown for now, but recorded. The picture comes back by itself.',
      tellerSoundLine: 'Your network is poor. To keep the sound clear your picture is not sent for now; it comes back by itself.',
      tellerSoundHand: 'You chose “Sound only”: the customer cannot see you.',
    },
  },
}

export default texts
