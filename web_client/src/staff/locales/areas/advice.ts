/** What an alarm asks a person to do, per kind. */
export default {
  'zh-CN': {
    alarms: {
      kind: { backup: { drill_failed: '备份恢复演练失败' }, customer: { help: '客户呼叫帮助', complaint: '客户在通话中投诉' } },
      advice: {
        recording: {
          failed: '录像没有录上或没有保存。通话中请停止办理并重新接通；事后请在质检台打开该通话查看缺口。',
          damaged: '录像文件有一部分不能播放。请在质检台打开该通话，核对缺失的时间段。',
          stalled: '超过 3 秒没有收到一方的音视频，多半是客户网络断了。请柜员暂停办理，等客户回来；恢复或通话结束后本告警自动消除。',
          pause_expired: '安全暂停时间过长，已自动恢复录制。请柜员确认客户输入是否完成。',
          finalize: '录像整理失败，原始数据还在。请重试；再失败请联系技术人员。',
        },
        job: {
          failed: '后台任务多次失败。请点“重试任务”；再失败请联系技术人员。',
        },
        media: {
          start_failed: '接听后音视频没有接通。请柜员挂断后重新接听，客户保留位置。',
          close_failed: '通话已结束，但音视频没有正常关闭。请查看媒体节点是否正常。',
        },
        customer: {
          help: '等候中的客户按了“呼叫帮助”。请优先安排接听。',
          complaint: '客户正在通话中表示要投诉。请旁听，必要时介入，并登记投诉工单。',
        },
        fraud: {
          alert: '客户或柜员说到了涉诈危险词。请打开“涉诈预警”，30 秒内作出初判。',
        },
        review: {
          waiting: '复核请求没有人处理。请打开“双人复核”，或请有权限的同事处理。',
        },
        posting: {
          reconcile: '核心系统没有给出明确结果。请打开“待对账”核对，不要重复提交。',
        },
        notice: {
          failed: '通知没有送到客户。请打开“消息通知”查看原因并重发。',
        },
        ticket: {
          overdue: '工单超过了答复时间。请打开“工单”尽快答复客户。',
        },
        case: {
          overdue: '业务超过规定时间。请联系柜员，看是否需要协助或分两次办理。',
          unfinished: '业务中断，已做的步骤不能自动撤销。请核对后人工处理。',
        },
        rectification: {
          overdue: '整改超过了期限。请联系柜员和班组长。',
        },
        speech: {
          final_only: '机器忙不过来，这通电话的字幕暂停，通话结束后会补上转写。请留意话术要点。',
        },
        backup: {
          drill_failed: '备份恢复演练没有通过。请技术人员马上查看演练报告，并重做备份。',
        },
        webhook: {
          failed: '对方系统没有收到通知。请打开“开放接口”查看原因并重发。',
        },
      },
    },
  },
  en: {
    alarms: {
      kind: { backup: { drill_failed: 'Rehearsal of a restore failed' }, customer: { help: 'A customer calls for help', complaint: 'A customer complains during the call' } },
      advice: {
        recording: {
          failed: 'The recording was not made or not kept. During a call: stop the business and connect again. Afterwards: open the call at the inspection desk and see the gap.',
          damaged: 'Part of the recording cannot be played. Open the call at the inspection desk and check the missing stretch.',
          stalled: 'Nothing has come from one side for 3 seconds; mostly the line of the customer is gone. The teller should pause until the customer is back. This alarm goes by itself then, or with the call.',
          pause_expired: 'A secure pause lasted too long and was ended. The teller should ask whether the customer has finished typing.',
          finalize: 'The recording could not be made playable; the raw data is kept. Retry; if it fails again, tell the engineers.',
        },
        job: {
          failed: 'A background job failed several times. Retry it; if it fails again, tell the engineers.',
        },
        media: {
          start_failed: 'An accepted call got no sound or picture. The teller should hang up and take it again; the customer keeps the place.',
          close_failed: 'A call has ended but its media could not be closed. Check the media nodes.',
        },
        customer: {
          help: 'A waiting customer pressed “call for help”. See that the call is taken first.',
          complaint: 'A customer says during the call that they complain. Listen in, step in if needed, and open a ticket.',
        },
        fraud: {
          alert: 'Danger words of a fraud were spoken or typed. Open the fraud alerts and give a first assessment within 30 seconds.',
        },
        review: {
          waiting: 'Nobody has taken a review. Open the reviews, or ask a colleague who may.',
        },
        posting: {
          reconcile: 'The core system gave no clear outcome. Check it under reconciliation; do not submit it again.',
        },
        notice: {
          failed: 'A message did not reach the customer. See why under messages and send it again.',
        },
        ticket: {
          overdue: 'A ticket is past its answer time. Answer the customer.',
        },
        case: {
          overdue: 'A business takes longer than allowed. Ask the teller whether help is needed.',
          unfinished: 'A business broke off after a step that cannot be undone by itself. Check it and settle it by hand.',
        },
        rectification: {
          overdue: 'A rectification is past its due date. Talk to the teller and the team lead.',
        },
        speech: {
          final_only: 'The machine is too busy: captions of this call have stopped and its text follows after the call. Mind the script.',
        },
        backup: {
          drill_failed: 'Restoring a backup was rehearsed and failed. Engineers should read the report of the drill now and make a new backup.',
        },
        webhook: {
          failed: 'Another system did not get its message. See why under open interface and send it again.',
        },
      },
    },
  },
}
