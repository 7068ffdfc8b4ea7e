import re
from dataclasses import replace

import service_hotline
from tiny_hotline import HOUSE, compiled

from ivrflow.flow.model import CallFlow
from ivrflow.flow.pages.drawing import draw_flow

TINY_DRAWN = """\
---
title: "Hotline"
---
flowchart TD
  caller(["100"]) --> step_welcome
  step_welcome[["welcome<br/>ladder silent<br/>“您好！” · 4s<br/>“您好，电话已接通，请讲！” · 2s<br/>“听不到您的声音，再见。”"]]
  step_main_menu{{"main menu<br/>“咨询请按1，人工请按0。”<br/>wait 2 × 5s"}}
  step_number[/"number<br/>“请输入工单号。”<br/>4-12 digits, ends with #<br/>first 6s, then 4s each"/]
  step_agent(["agent<br/>“正在转接。”<br/>ring 1001 for 20s<br/>talk up to 10m"])
  step_bye("bye<br/>“还需要什么帮助吗？” · 2s<br/>“感谢您的来电，再见！”<br/>caller hangs up first, within 10s<br/>then hang up")
  step_hang_up(("hang up"))
  step_welcome -->|"speaks"| step_main_menu
  step_welcome -->|"key 0"| step_agent
  step_welcome -->|"silent to the end"| step_hang_up
  step_main_menu -->|"key 1"| step_number
  step_main_menu -->|"key 0, no key, more than 2 wrong keys"| step_agent
  step_number -->|"all digits, no key, too few digits"| step_agent
  step_agent -->|"agent hangs up, no answer, busy, unreachable"| step_bye
  step_bye -->|"has a request"| step_main_menu
  situations[/"6 situations of tiny<br/>back after: continue"\\]
  situations -.->|"hangup"| step_hang_up
  situations -.->|"escalate"| step_agent
  situations -.->|"closing"| step_bye
"""


def test_a_flow_is_drawn_with_what_is_said_and_how_long_is_waited() -> None:
    assert draw_flow(compiled()) == TINY_DRAWN


def test_hours_are_labelled_with_days_and_times() -> None:
    welcome = (
        "    ladder: silent\n    opening: hello\n    barge_in: [speech, key]\n    on:\n"
        "      speech: main_menu\n      key: {0: agent}\n    used_up: hang_up\n"
    )
    hours = (
        '    hours:\n      - {days: "mon-fri,sun", from: "08:00", to: "18:30", then: main_menu}\n'
        '      - {days: sat, from: "22:00", to: "24:00", then: main_menu}\n    otherwise: bye\n'
    )

    drawn = draw_flow(compiled((welcome, hours)))

    assert '  step_welcome -->|"mon-fri,sun 08:00-18:30, sat 22:00-24:00"| step_main_menu' in drawn
    assert '  step_welcome -->|"otherwise"| step_bye' in drawn


def labels(drawn: str) -> list[str]:
    return re.findall(r'"([^"]*)"', drawn.partition("flowchart TD\n")[2])


def test_nothing_in_a_wording_ends_a_label_or_means_something_to_mermaid() -> None:
    nasty = '"]; click x "javascript:1" <script>alert(`1`)</script> %%{init: {}}%% &amp; #35; \\n --> }}'
    flow = compiled()
    phrases = {
        key: replace(phrase, text=nasty[start : start + 20]) for start, (key, phrase) in enumerate(flow.phrases.items())
    }
    drawn = draw_flow(replace(flow, phrases=phrases, numbers=(nasty,)))

    lines = drawn.partition("flowchart TD\n")[2].splitlines()

    assert len(lines) == len(TINY_DRAWN.splitlines()) - 4
    for label in labels(drawn):
        assert not set(label.replace("<br/>", "")) & set('"<>&`\\;%')


def test_a_title_is_quoted_as_yaml_wants_it() -> None:
    assert 'title: "a \\"b\\": {c}"' in draw_flow(replace(compiled(), title='a "b": {c}'))


def test_the_same_flow_gives_the_same_text() -> None:
    def drawn() -> str:
        flow: CallFlow = compiled(("menu: {text:", "menu: {note: x, text:"), file=HOUSE)
        return draw_flow(flow)

    assert drawn() == drawn() == draw_flow(compiled())


def test_situations_that_lead_elsewhere_when_left_are_drawn() -> None:
    drawn = draw_flow(compiled(("outcomes:", "leaves:\n  noise: {audible: bye}\noutcomes:")))

    assert '  situations -.->|"noise: audible"| step_bye' in drawn


SERVICE_DRAWN = """\
  step_status[("status<br/>asks https://crm.example/cases<br/>after 2s: “正在查询。”<br/>waits up to 8s")]
  step_wait_for_agent(["wait for agent<br/>“请稍候。”<br/>queue agents<br/>from 45s on: queue seniors<br/>music · 10s<br/>“请稍候。” · 30s<br/>“仍然繁忙，请继续等候。” · 30s<br/>“仍然繁忙，请继续等候。”<br/>“请稍候。” · 30s<br/>wait up to 3m<br/>waited over 1m: “感谢您的耐心等候。”<br/>talk up to 10m"])
  step_to_colleague(["to colleague<br/>ring 1002 for 20s<br/>talk up to 10m<br/>the agent stays until somebody answers"])
  step_leave_message[/"leave message<br/>“请在提示音后留言。”<br/>message for voicemail: 2m at most, until 4s of silence, ends with #"/]
  step_leave_message-review{{"leave message: review<br/>“保存请按1，试听请按2，重录请按3。”<br/>wait 2 × 5s"}}
  step_leave_message-listen[/"leave message: listen<br/>plays the message"/]
  step_leave_message-keep[("leave message: keep<br/>keeps the message")]
  step_ask_satisfaction-score3[("ask satisfaction: score3<br/>satisfaction: 3 of 3")]
  step_call_me_back-own[("call me back: own<br/>orders a call to the number the caller rings from<br/>by hotline_callback, within 24h, 3 tries")]
  step_call_me_back-order[("call me back: order<br/>orders a call to the number keyed in<br/>by hotline_callback, within 24h, 3 tries")]
  step_status -->|"open"| step_say_open
  step_status -->|"closed 2026"| step_ask_satisfaction
  step_status -->|"an answer, no answer in time, an answer that makes no sense, nobody to ask"| step_wait_for_agent
  step_wait_for_agent -->|"key 1, waited long enough, no agent there"| step_leave_message
  step_wait_for_agent -->|"key 2, queue is full"| step_call_me_back
  step_wait_for_agent -->|"agent hangs up"| step_ask_satisfaction
  step_leave_message -->|"a message"| step_leave_message-review
  step_leave_message-review -->|"key 1, no key, more than 2 wrong keys"| step_leave_message-keep
  step_leave_message-listen --> step_leave_message-review
  step_call_me_back-own -->|"undiallable"| step_call_me_back-number
"""


def test_what_somebody_else_does_for_the_caller_is_drawn() -> None:
    drawn = draw_flow(service_hotline.compiled()).splitlines()

    assert [line for line in SERVICE_DRAWN.splitlines() if line not in drawn] == []


AGENTS_DRAWN = """\
  agents[/"agents in a talk<br/>hold: hold request<br/>*21: noise<br/>*80: cancel<br/>*81: done<br/>*82: leave"\\]
  agents -.->|"*70"| step_to_colleague
"""


def test_what_agents_can_do_in_a_talk_is_drawn() -> None:
    drawn = draw_flow(service_hotline.compiled()).splitlines()

    assert [line for line in drawn if line.startswith("  agents")] == AGENTS_DRAWN.splitlines()


def test_many_codes_are_counted() -> None:
    codes = "".join(f'"*{code}": noise, ' for code in range(30, 37))
    drawn = draw_flow(service_hotline.compiled(('codes: {"', f'codes: {{{codes}"')))

    assert "hold: hold request<br/>8 codes start situations<br/>*80: cancel" in drawn


def test_agents_who_can_do_nothing_are_not_drawn() -> None:
    assert "  agents" not in draw_flow(compiled())
