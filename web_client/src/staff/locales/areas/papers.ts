import type { AreaTexts } from '@shared/i18n'

export default {
  'zh-CN': {
    papers: {
      title: '签署文件和凭证', none: '这通电话里没有签署文件，也没有凭证。', show: '看文件', kind: { document: '签署文件', voucher: '电子凭证' }, state: { ready: '待签', sealed: '已签署', withdrawn: '已作废', issued: '已出具' },
      larger: '放大', smaller: '缩小', close: '关闭', broken: '这份文件打不开。',
      interpreter: '有人口译或代读', interpreted: '口译或代读：{name}（{language}），已写进文件。', interpreterName: '口译人姓名', interpreterLanguage: '语言，如手语、粤语、代读', interpreterNote: '写进文件（客户重新看）',
    },
  },
  en: {
    papers: {
      title: 'Signed documents and vouchers', none: 'Nothing was signed in this call, and no voucher was issued.', show: 'Show', kind: { document: 'Document', voucher: 'Voucher' }, state: { ready: 'to be signed', sealed: 'signed', withdrawn: 'withdrawn', issued: 'issued' },
      larger: 'Larger', smaller: 'Smaller', close: 'Close', broken: 'This document cannot be shown.',
      interpreter: 'Somebody interprets', interpreted: 'Interpreted by {name} ({language}); it is in the document.', interpreterName: 'Interpreter’s name', interpreterLanguage: 'Language, e.g. sign language', interpreterNote: 'Write it into the document',
    },
  },
} satisfies AreaTexts
