import type { AreaTexts } from '@shared/i18n'

/** Texts of the operations page, and of the alarms about machines. */
export default {
  'zh-CN': {
    app: { nav: { operations: '系统运行' } },
    operations: {
      title: '系统运行', processes: '进程与媒体节点', none: '没有进程在报告。请检查 Redis。', kind: { edge: '边缘', media: '媒体节点', worker: '后台' },
      release: '版本 {release}', since: '自 {at}', disk: '磁盘可用 {free} / {all}', calls: '{n} 通', open: '接新通话', draining: '不接新通话，还有 {n} 通', drained: '已空，可以停机',
      drain: '停止接新通话', undrain: '恢复接通话', last: '没有其他节点接新通话：新来的客户仍由本节点承接，直到有别的节点。', twoReleases: '正在滚动升级：{releases}',
      backups: '备份与恢复演练', noTarget: '没有设置备份位置（AIRCOUNTER_BACKUP_TARGET），不会自动备份。', plan: '每天 {at} 备份，保留 {keep} 份。', drills: '每 {days} 天演练一次恢复。', noDrills: '不自动演练。',
      lastBackup: '最近一次成功备份', lastDrill: '最近一次通过演练', next: '下一次备份', never: '还没有', ask: { backup: '立即备份', drill: '立即演练' }, noRuns: '还没有备份。',
      run: { backup: '备份', drill: '恢复演练' }, by: '{name}', byClock: '按计划', held: '{rows} 行，{objects} 个对象', copied: '共 {size}，本次传输 {copied}', played: '录像可播放', nothingToPlay: '没有录像可播放',
      state: { waiting: '等待', running: '进行中', done: '成功', failed: '失败' },
    },
    alarms: {
      lasts: '恢复后自动消除',
      kind: {
        backup: { failed: '备份失败', overdue: '太久没有备份' }, disk: { low: '磁盘空间不足' }, database: { away: '数据库曾无响应' },
        queue: { away: 'Redis 无响应' }, jobs: { behind: '后台任务积压' }, speech: { behind: '通话后转写积压' }, node: { lost: '进程失去联系' },
      },
      advice: {
        backup: {
          failed: '备份没有做成。请技术人员查看“系统运行”里的原因，排除后点“立即备份”。成功后本告警自动消除。',
          overdue: '超过 26 小时没有成功的备份。请确认后台进程在运行、备份位置可写，再点“立即备份”。',
        },
        disk: { low: '磁盘快满了，满后录像会中断。请技术人员马上清理或扩容；恢复后本告警自动消除。' },
        database: { away: '数据库有一段时间没有响应，期间不能受理新业务，通话和录像不受影响。请查看数据库日志。' },
        queue: { away: '排队、字幕和实时推送暂停；通话和录像不受影响。请技术人员马上检查 Redis；恢复后本告警自动消除。' },
        jobs: { behind: '后台任务等得太久，录像整理和消息会晚到。请确认后台进程在运行，必要时增加进程。' },
        speech: { behind: '通话后转写积压，质检会晚看到文字。可以增加后台进程，或在夜间消化。' },
        node: { lost: '进程没有告别就消失了。媒体节点的通话会转到其他节点，录像留下几秒缺口。请检查那台机器；有新进程接替后本告警自动消除。' },
      },
    },
    error: {
      backup: { running: '正在备份或演练，请等它结束。', no_target: '没有设置备份位置。' }, node: { not_found: '没有这个媒体节点，或者它已经停止。' }, redis: { unreachable: 'Redis 无响应。' },
      database: { away: '数据库没有响应，暂时不能受理；通话和录像不受影响。请技术人员马上检查数据库。' }, queue: { away: 'Redis 没有响应，暂时不能受理。请技术人员马上检查。' },
    },
  },
  en: {
    app: { nav: { operations: 'Operations' } },
    operations: {
      title: 'Operations', processes: 'Processes and media nodes', none: 'No process reports. Check Redis.', kind: { edge: 'Edge', media: 'Media node', worker: 'Worker' },
      release: 'release {release}', since: 'since {at}', disk: '{free} of {all} free', calls: '{n} calls', open: 'takes calls', draining: 'takes no new calls, {n} left', drained: 'empty, may be stopped',
      drain: 'Take no new calls', undrain: 'Take calls again', last: 'No other node takes calls: who comes now is still carried by this one until there is another.', twoReleases: 'Rolling upgrade: {releases}',
      backups: 'Backups and rehearsals', noTarget: 'No place for backups is set (AIRCOUNTER_BACKUP_TARGET): none are made.', plan: 'Every day at {at}; {keep} are kept.', drills: 'A restore is rehearsed every {days} days.', noDrills: 'No rehearsals by the clock.',
      lastBackup: 'Last good backup', lastDrill: 'Last rehearsal that passed', next: 'Next backup', never: 'never', ask: { backup: 'Back up now', drill: 'Rehearse now' }, noRuns: 'No backups yet.',
      run: { backup: 'Backup', drill: 'Rehearsal' }, by: '{name}', byClock: 'by the clock', held: '{rows} rows, {objects} objects', copied: '{size}, {copied} of it copied', played: 'a recording plays', nothingToPlay: 'no recording to play',
      state: { waiting: 'waiting', running: 'running', done: 'good', failed: 'failed' },
    },
    alarms: {
      lasts: 'goes by itself',
      kind: {
        backup: { failed: 'Backup failed', overdue: 'No backup for too long' }, disk: { low: 'Disk nearly full' }, database: { away: 'The database did not answer' },
        queue: { away: 'Redis does not answer' }, jobs: { behind: 'Background jobs pile up' }, speech: { behind: 'Transcripts are late' }, node: { lost: 'A process is gone' },
      },
      advice: {
        backup: {
          failed: 'No backup was made. See why under operations, put it right, back up now. This alarm goes with the next good one.',
          overdue: 'There has been no good backup for 26 hours. Check that a worker runs and the target can be written to, then back up now.',
        },
        disk: { low: 'When the disk is full recordings stop. Make room now; this alarm goes by itself.' },
        database: { away: 'For a while nothing new was accepted; calls and recordings went on. Look at the log of the database.' },
        queue: { away: 'Queue, captions and pushes pause; calls and recordings go on. Look at Redis now; this alarm goes by itself.' },
        jobs: { behind: 'Recordings and messages will be late. Check that workers run; add some if need be.' },
        speech: { behind: 'Inspectors see the words later. Add workers, or let them catch up at night.' },
        node: { lost: 'A process went without a word. Calls of a media node move to another, with a gap of some seconds. Look at that machine; this alarm goes when another process has taken its place.' },
      },
    },
    error: {
      backup: { running: 'A backup or a rehearsal is being done; wait for it.', no_target: 'No place for backups is set.' }, node: { not_found: 'There is no such media node, or it has ended.' }, redis: { unreachable: 'Redis does not answer.' },
      database: { away: 'The database does not answer; nothing new is accepted, calls and recordings go on. Engineers should look at it now.' }, queue: { away: 'Redis does not answer; nothing new is accepted. Engineers should look at it now.' },
    },
  },
} satisfies AreaTexts
